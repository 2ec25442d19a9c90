import { useT } from '../../app/i18n/index.ts'

/** What a shared identity is for: people with keys, one identity, the data it owns. */
export function IdentityDiagram() {
  const t = useT()
  const people = [30, 75, 120]
  return (
    <figure className="mx-auto w-full max-w-md">
      <svg role="img" aria-label={t('identities.diagram.label')} viewBox="0 0 360 150" className="w-full">
        {people.map((y) => (
          <g key={y}>
            <path
              d={`M 62 ${y} C 110 ${y} 110 75 148 75`}
              className="fill-none stroke-control"
              strokeWidth="1.5"
            />
            <circle cx="40" cy={y - 7} r="7" className="fill-accent-soft stroke-accent" strokeWidth="1.5" />
            <path
              d={`M 27 ${y + 15} a 13 11 0 0 1 26 0 z`}
              className="fill-accent-soft stroke-accent"
              strokeWidth="1.5"
            />
            <circle cx="64" cy={y} r="4" className="fill-surface stroke-text" strokeWidth="1.5" />
          </g>
        ))}
        <circle cx="182" cy="75" r="34" className="fill-accent-soft stroke-accent" strokeWidth="2" />
        <circle
          cx="182"
          cy="75"
          r="24"
          className="fill-none stroke-accent"
          strokeWidth="5"
          strokeDasharray="44 6.3"
        />
        <path d="M 217 75 H 268" className="stroke-control" strokeWidth="1.5" />
        {[0, 1, 2].map((i) => (
          <rect
            key={i}
            x={272 + i * 7}
            y={46 + i * 8}
            width="56"
            height="42"
            rx="5"
            className="fill-surface stroke-control"
            strokeWidth="1.5"
          />
        ))}
        <path
          d="M 296 78 h 36 M 296 88 h 26"
          className="stroke-control"
          strokeWidth="2"
          strokeLinecap="round"
        />
      </svg>
      <figcaption className="grid grid-cols-3 text-center text-xs text-muted">
        <span className="pe-10">{t('identities.diagram.members')}</span>
        <span>{t('identities.diagram.identity')}</span>
        <span>{t('identities.diagram.data')}</span>
      </figcaption>
    </figure>
  )
}
