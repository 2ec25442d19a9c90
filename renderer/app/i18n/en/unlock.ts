export const unlock = {
  title: 'Unlock your vault',
  password: 'Password',
  go: 'Unlock',
  working: 'Unlocking …',
  wrong: 'This password does not open the vault.',
  backoff: 'Please wait {time} before the next attempt.',
  'backoff.why': 'After several wrong passwords the wait grows, so that nobody can try many.',
  forgot: 'Forgot the password? Use your 24 words',
  'recover.title': 'Set a new password',
  'recover.text': 'Your 24 words open this vault under a new password. What is in it stays as it is.',
  'recover.go': 'Set password and unlock',
} as const
