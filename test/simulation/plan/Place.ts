/** The legal entities of the simulation: three companies of one Odoo database. */
export interface Place {
  readonly entity: string
  /** `res.company` id. */
  readonly company: number
  readonly currency: string
  readonly taxName: string
  readonly taxPercent: number
  readonly consultant: string
}

const place = (entity: string, company: number, currency: string, taxPercent: number): Place => ({
  entity,
  company,
  currency,
  taxName: `${taxPercent}%`,
  taxPercent,
  consultant: `consultant@${entity}.example.test`,
})

export const allPlaces: readonly [Place, ...ReadonlyArray<Place>] = [
  place("be01", 3, "EUR", 21),
  place("uk01", 4, "GBP", 20),
  place("us01", 2, "USD", 15),
]

/** Weir's configuration for the first `places`. */
export const configurationOf = (
  places: ReadonlyArray<Place>,
  { callsPerSecond, workers }: { readonly callsPerSecond: number; readonly workers: number },
) => ({
  databases: {
    main: {
      url: "http://127.0.0.1:8069",
      database: "odoo",
      key: { env: "ODOO_API_KEY" },
      workers,
      share: 1,
      callsPerSecond,
    },
  },
  grace: "10 seconds",
  feed: { every: "0 seconds" },
  entities: Object.fromEntries(places.map(({ company, currency, entity, taxName }) => [entity, {
    database: "main",
    company,
    currency,
    journals: { sales: "INV", bank: "BNK1" },
    taxes: { S: taxName },
  }])),
})
