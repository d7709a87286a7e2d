/** The thread that the stand-in Odoo of `OdooThread.ts` lives in. */
import { parentPort } from "node:worker_threads"
import { StandIn } from "../fixtures/odoo/StandIn.ts"
import type { Answer, Message, Question } from "./OdooThread.ts"
import { threadCpuSeconds } from "./processes.ts"

let standIn = new StandIn()

const answerTo = (question: Question): Answer[Question["_tag"]] => {
  switch (question._tag) {
    case "fresh":
      standIn = new StandIn(question.options)
      if (question.state !== undefined) standIn.store.restore(question.state)
      return null
    case "handle":
      return standIn.handle(question.request)
    case "dump":
      return [...standIn.store.dump()]
    case "rows":
      return standIn.store.tables.get(question.model)?.rows.size ?? 0
    case "cpuSeconds":
      return threadCpuSeconds()
  }
}

parentPort?.on("message", ({ id, question }: Message) => parentPort?.postMessage({ id, answer: answerTo(question) }))
