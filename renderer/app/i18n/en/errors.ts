export const errors = {
  'INTERNAL.what': 'Something went wrong inside the app.',
  'INTERNAL.lost': 'Your stored data was not changed.',
  'INTERNAL.todo': 'Try again. If it happens again, the code and message below help to find the cause.',
} as const
