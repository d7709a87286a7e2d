/** All faults, in the order of the table. */
import { odooAnswers } from "./answers.ts"
import type { Fault } from "./Fault.ts"
import { input } from "./messages.ts"
import { outages } from "./outages.ts"
import { storm } from "./storm.ts"

export const faults: ReadonlyArray<Fault> = [...outages, ...odooAnswers, ...input, storm]

/** What is published is the fault. */
export const inputFaults = input
/** Those that strike in their turn; the storm is many of them at once. */
export const striking: ReadonlyArray<Fault> = [...outages, ...odooAnswers]
