/** The pages of the example. */

const places = [
  ['/dashboard', 'Dashboard'],
  ['/billing', 'Billing'],
  ['/upload', 'Upload'],
  ['/admin', 'Admin'],
] as const;

function page(title: string, body: string, script = ''): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
${script}
</body>
</html>
`;
}

export const style = `body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 40rem; padding: 0 1rem; color: #1d2430 }
nav a { margin-right: 1rem }
label { display: block; margin: 0.5rem 0 }
.note { color: #4a5568 }
`;

/** Says the duration up front (WCAG 2.2.6). */
export function signInPage(reason: string | undefined, returnTo: string): string {
  const reasons: Readonly<Record<string, string>> = {
    idle: 'You were signed out because you were away for a while.',
    absolute: 'You were signed out because your session reached its limit.',
    signed_out: 'You are signed out.',
    refused: 'Address or password is wrong.',
  };
  const note = Object.hasOwn(reasons, reason ?? '') ? reasons[reason ?? ''] : undefined;
  return page(
    'Sign in',
    `${note === undefined ? '' : `<p role="status">${note}</p>`}
<form method="post" action="/login">
<input type="hidden" name="return_to" value="${escaped(returnTo)}">
<label>E-mail <input name="identifier" type="email" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button>
</form>
<p class="note">After two minutes without input you are signed out, on Billing and Admin after one. What you typed is kept in this browser.</p>`,
  );
}

export function appPage(path: string): string {
  const title = places.find(([place]) => place === path)?.[1] ?? 'Dashboard';
  const links = places.map(([place, name]) => `<a href="${place}">${name}</a>`).join('');
  const upload =
    path === '/upload'
      ? '<p><button id="upload">Upload for five minutes</button> <output id="progress"></output></p>'
      : '';
  return page(
    title,
    `<nav aria-label="Pages">${links}<a href="/sessions">My sessions</a></nav>
<label>A draft <textarea id="draft" rows="4"></textarea></label>
${upload}
<p><button id="sign-out">Sign out</button></p>`,
    '<script src="/dormouse.js"></script><script src="/app.js"></script>',
  );
}

export function sessionsPage(): string {
  return page(
    'My sessions',
    `<nav aria-label="Pages"><a href="/dashboard">Dashboard</a></nav>
<ul id="sessions"></ul>
<p><button id="others">Sign out everywhere else</button></p>
<label>Sign me out after <select id="choice"></select></label>
<p><button id="sign-out">Sign out</button></p>`,
    '<script src="/dormouse.js"></script><script src="/app.js"></script><script src="/sessions.js"></script>',
  );
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
