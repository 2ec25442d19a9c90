import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router'
import type { ReactElement } from 'react'
import { BrokenPage, MissingPage } from './shell/fallbacks.tsx'
import type { Screen } from './shell/navigation.ts'
import { Shell } from './shell/shell.tsx'

const pages = import.meta.glob<{ default: () => ReactElement }>('../features/*/page.tsx')

/** A screen's page, loaded when it is first opened. */
function page(name: Screen | 'gallery') {
  const load = pages[`../features/${name}/page.tsx`]
  return lazyRouteComponent(load ?? (async () => ({ default: MissingPage })), 'default')
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: MissingPage,
  errorComponent: BrokenPage,
})

/** `/data` shows the list, `/data/abc` the same screen with one item open. */
function screen<N extends Screen>(name: N) {
  return createRoute({ getParentRoute: () => root, path: `/${name}`, component: page(name) })
}
function item<N extends Screen>(name: N) {
  return createRoute({ getParentRoute: () => root, path: `/${name}/$id`, component: page(name) })
}

const index = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/home' })
  },
})

const routeTree = root.addChildren([
  index,
  screen('home'),
  screen('data'),
  item('data'),
  screen('access'),
  item('access'),
  screen('identities'),
  item('identities'),
  screen('predicates'),
  item('predicates'),
  screen('approvals'),
  item('approvals'),
  screen('computations'),
  item('computations'),
  screen('node'),
  screen('activity'),
  screen('settings'),
  item('settings'),
])

export const router = createRouter({
  routeTree,
  history: createHashHistory(),
  defaultPreload: 'intent',
  defaultErrorComponent: BrokenPage,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
