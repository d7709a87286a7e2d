import { type Reason, type ReasonCode, reasons } from "../reason/Reason.ts"

/** Reasons for which an event waits. */
export const waitingCodes: ReadonlyArray<ReasonCode> = (Object.entries(reasons) as ReadonlyArray<[ReasonCode, Reason]>)
  .filter(([, { disposition }]) => disposition === "wait").map(([code]) => code)
