// The token is kept in memory alone: a page that is loaded again asks for a sign-in.
const ends = {
  idle: 'You were signed out, because you were away for a while.',
  time: 'You were signed out, because your sign-in was over its time.',
  revoked: 'You were signed out, because your access was ended.',
  error: 'Your sign-in is not valid here. Please sign in again.',
};
const statusEveryMs = 30_000;
const find = (id) => document.getElementById(id);
let token;
let timer;

const config = await (await fetch('/api/auth/config')).json();
find('duration').textContent =
  `After ${config.inactivity_threshold_minutes} minutes without work you are signed out.`;

/** Asks with the token. @returns undefined where the token is over: the page says so */
async function ask(path, method = 'GET') {
  // What ended in the meantime has its text already.
  if (token === undefined) return undefined;
  let answer;
  try {
    answer = await fetch(path, { method, headers: { authorization: `Bearer ${token}` } });
  } catch {
    // An outage of the network is no end.
    find('state').textContent = 'The server can’t be reached. Try again.';
    return undefined;
  }
  if (answer.status === 401) {
    const { end } = await answer.json();
    leave(ends[end] ?? ends.error);
    return undefined;
  }
  if (!answer.ok) {
    find('state').textContent = 'The server is busy. Try again.';
    return undefined;
  }
  return answer.status === 204 ? {} : answer.json();
}

/** Renews nothing: it only looks. */
async function showStatus() {
  const status = await ask('/token/status');
  if (status === undefined) return;
  const now = Date.parse(status.now);
  const leftMs = Math.min(Date.parse(status.idleEndsAt), Date.parse(status.endsAt)) - now;
  const minutes = Math.ceil(leftMs / 60_000);
  find('state').textContent = `Signed in. Without work it ends in ${minutes} min.`;
  find('warning').textContent =
    leftMs <= config.warn_before_seconds * 1_000 ? 'You will be signed out soon. Press “Work” to stay.' : '';
}

async function showLog() {
  const recent = await ask('/api/logs/recent?limit=10');
  if (recent === undefined) return;
  const lines = recent.logs.map(({ at, event, method, path, status }) => {
    const line = document.createElement('li');
    line.textContent = [at, event, method, path, status].filter(Boolean).join(' ');
    return line;
  });
  find('log').replaceChildren(...lines);
}

async function work() {
  find('work').disabled = true;
  await workOnce();
  find('work').disabled = false;
}

async function workOnce() {
  if ((await ask('/api/me')) === undefined) return;
  if (config.features.sliding_access) {
    const renewed = await ask('/renew', 'POST');
    if (renewed === undefined) return;
    token = renewed.accessToken;
  }
  await showStatus();
  if (token !== undefined) await showLog();
}

function leave(text) {
  token = undefined;
  clearInterval(timer);
  find('signed-in').hidden = true;
  find('sign-in').hidden = false;
  find('end').textContent = text;
}

find('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  const answer = await fetch('/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(Object.fromEntries(new FormData(form))),
  });
  if (!answer.ok) {
    find('end').textContent = 'Address or password is wrong.';
    return;
  }
  token = (await answer.json()).accessToken;
  form.reset();
  find('end').textContent = '';
  form.hidden = true;
  find('signed-in').hidden = false;
  timer = setInterval(() => void showStatus(), statusEveryMs);
  await work();
});
find('work').addEventListener('click', () => void work());
find('sign-out').addEventListener('click', async () => {
  await ask('/token/sign-out', 'POST');
  if (token !== undefined) leave('You signed out.');
});
