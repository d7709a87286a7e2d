/** Priority class. `critical` overtakes `normal` overtakes `bulk` overtakes `backfill`, weighted, without starving. */
export type Lane = "critical" | "normal" | "bulk" | "backfill"
