export const welcome = {
  title: 'Welcome to Enigma',
  language: 'Language',
  intro:
    'Your data stays in an encrypted vault on this computer. You can let others compute on parts of it without anyone seeing the values, not even the computers that do the work.',
  role: 'What will you mainly use it for?',
  'role.person': 'Keep my data',
  'role.person.hint': 'A private vault; share some of it for a purpose you choose.',
  'role.seller': 'Offer the use of data',
  'role.seller.hint': 'Let others compute on your data for a fee, under your rules.',
  'role.operator': 'Run a node',
  'role.operator.hint': 'Hold other people’s shares and compute on them for fees.',
  'role.later': 'This only decides what you see first. You can change it in the settings.',
  create: 'Create vault',
  restore: 'Restore from 24 words',
  step: 'Step {step} of {steps}',
  'password.title': 'Choose a password',
  'password.text':
    'It opens the vault on this computer. Nobody can reset it; if you forget it, only your 24 words help.',
  'password.weak': 'This password is too easy to guess. Make it longer, for example with another word.',
  'password.working': 'Creating the vault …',
  'words.title': 'Write down your 24 words',
  'words.text':
    'They are the master key: with them you can restore your keys and your shared data on any computer. They are shown only now.',
  'words.warning':
    'Anyone who has these words has your vault. Paper is best; don’t photograph them or keep them in a file.',
  'words.written': 'I have written down all 24 words, in order.',
  'words.print': 'Print emergency kit',
  'quiz.title': 'Check three words',
  'quiz.text': 'Read these three from your paper. It is the cheapest moment to notice a mistake.',
  'quiz.word': 'Word {number}',
  'quiz.wrong': 'This is not the word.',
  'quiz.again': 'Show the words again',
  'quiz.check': 'Check',
  'done.title': 'Your vault is ready',
  'done.text':
    'Keep the paper apart from this computer. Settings let you rehearse the words now and then, and make encrypted backups of what is in the vault.',
  'done.open': 'Open vault',
  'restore.title': 'Restore your vault',
  'restore.text':
    'Enter the words in order. Your keys and identities come back from them, and the list of what you shared comes from the ledger.',
  'restore.password': 'New password for this computer',
  'restore.go': 'Restore',
  'restore.working': 'Restoring …',
  'restored.title': 'Your vault is back',
  'restored.text':
    '{count, plural, =0 {Your keys are restored. The ledger lists nothing that you shared.} one {Your keys are restored, and # shared item was found on the ledger.} other {Your keys are restored, and # shared items were found on the ledger.}}',
  'restored.pending':
    'Your keys are restored. The network has not answered yet; your data appears by itself as soon as it does.',
  'restored.import':
    'Your data comes from the encrypted copy in the network. If you have a newer export, import it under Settings → Backup.',
  'kit.title': 'Enigma emergency kit',
  'kit.text': 'With these 24 words the vault can be restored on any computer.',
  'kit.date': 'Printed',
  'kit.account': 'Account',
  'kit.rule1': 'Keep this sheet where you keep your passport, apart from the computer.',
  'kit.rule2': 'Never type the words into a website, and give them to nobody; nobody from Enigma will ask.',
  'kit.rule3': 'To restore: start Enigma, choose “Restore from 24 words”, and enter them in order.',
} as const
