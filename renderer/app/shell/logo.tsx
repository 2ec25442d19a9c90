import { cn } from '../lib/cn.ts'

/** The share ring as a mark: four of five holders answer, the secret in the middle. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg aria-hidden viewBox="0 0 64 64" className={cn('shrink-0 text-accent', className)}>
      <rect width="64" height="64" rx="15" fill="currentColor" />
      <g fill="none" className="stroke-on-accent" strokeWidth="6.5">
        <path d="M34.8 13.2A19 19 0 0 1 48.9 23.3" />
        <path d="M51 29.2A19 19 0 0 1 45.4 45.4" />
        <path d="M40.7 48.9A19 19 0 0 1 23.3 48.9" />
        <path d="M18.6 45.4A19 19 0 0 1 13 29.2" />
        <path d="M15.1 23.3A19 19 0 0 1 29.2 13.2" strokeOpacity=".5" strokeWidth="3" strokeDasharray="3 3" />
      </g>
      <circle cx="32" cy="32" r="5.5" className="fill-on-accent" />
    </svg>
  )
}
