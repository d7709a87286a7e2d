/** What archives is in no hurry, and settles nothing that anybody waits for: three quarters of the time are others'. */
import { resting } from "../runs/resting.ts"

export const leisurely = resting({ times: 3, longestMillis: 1_000 })
