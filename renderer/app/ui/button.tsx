import { cva, type VariantProps } from 'class-variance-authority'
import type { ComponentProps, ReactNode } from 'react'
import { cn } from '../lib/cn.ts'
import { Spinner } from './spinner.tsx'
import { Tooltip } from './tooltip.tsx'

export const buttonStyle = cva(
  'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap select-none transition-colors duration-100 disabled:cursor-not-allowed aria-disabled:cursor-not-allowed [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      variant: {
        primary:
          'bg-accent text-on-accent not-disabled:hover:bg-accent-hover disabled:bg-sunken disabled:text-faint disabled:border-line disabled:border',
        secondary:
          'border border-control/50 bg-surface text-text shadow-card not-disabled:hover:bg-hover disabled:text-faint disabled:bg-sunken disabled:border-line',
        ghost: 'text-text not-disabled:hover:bg-hover disabled:text-faint',
        danger:
          'bg-danger-fill text-on-danger not-disabled:hover:bg-danger-hover disabled:bg-sunken disabled:text-faint disabled:border-line disabled:border',
        'danger-quiet': 'text-danger not-disabled:hover:bg-danger-soft disabled:text-faint',
        link: 'text-accent-text underline-offset-4 hover:underline',
      },
      size: {
        sm: 'h-7 px-2.5 text-sm',
        md: 'h-8 px-3 text-sm',
        lg: 'h-10 px-4 text-base',
        inline: 'h-6 px-0 text-sm',
      },
    },
    defaultVariants: { variant: 'secondary', size: 'md' },
  },
)

export type ButtonProps = ComponentProps<'button'> &
  VariantProps<typeof buttonStyle> & {
    /** Shows a spinner and refuses clicks, without losing focus. */
    loading?: boolean | undefined
    icon?: ReactNode
  }

export function Button({
  variant,
  size,
  loading = false,
  icon,
  className,
  children,
  onClick,
  type = 'button',
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      className={cn(buttonStyle({ variant, size }), loading && 'cursor-progress', className)}
      aria-busy={loading || undefined}
      aria-disabled={loading || rest['aria-disabled']}
      onClick={(event) => {
        if (loading) event.preventDefault()
        else onClick?.(event)
      }}
    >
      {loading ? <Spinner className="size-4" decorative /> : icon}
      {children}
    </button>
  )
}

/** A square button with an icon only; `label` is its name and its tooltip. */
export function IconButton({
  label,
  children,
  className,
  size = 'md',
  variant = 'ghost',
  ...rest
}: Omit<ButtonProps, 'size' | 'icon'> & { label: string; size?: 'sm' | 'md' }) {
  return (
    <Tooltip content={label}>
      <Button
        {...rest}
        variant={variant}
        aria-label={label}
        className={cn(size === 'sm' ? 'size-7 p-0' : 'size-8 p-0', 'text-muted hover:text-text', className)}
      >
        {children}
      </Button>
    </Tooltip>
  )
}
