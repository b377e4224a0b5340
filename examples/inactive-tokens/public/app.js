/* The page's own script. The library keeps the token in memory alone: a page that is loaded again asks for a sign-in. */
const access = DormouseTokens.startAccessToken({
  // Asked in the sliding mode alone: the API says which one it is.
  renewUrl: '/renew',
  signInUrl: '/sign-in',
});
const find = (id) => document.getElementById(id);

function show() {
  const isSignedIn = access.current() !== undefined;
  find('sign-in').hidden = isSignedIn;
  find('signed-in').hidden = !isSignedIn;
  const isActivity = location.hash === '#/activity';
  find('work-view').hidden = isActivity;
  find('activity-view').hidden = !isActivity;
  if (isSignedIn && isActivity) void showActivity();
}

/** @returns `undefined` where there is no good answer; the library has told the person of an end */
async function ask(path, init) {
  try {
    const answer = await access.fetch(path, init);
    if (answer.ok) return await answer.json();
    if (answer.status !== 401) find('state').textContent = 'The server is busy. Try again.';
  } catch {
    find('state').textContent = 'The server can’t be reached. Try again.';
  }
  return undefined;
}

async function showActivity() {
  const recent = await ask('/api/logs/recent?limit=10', { headers: { 'x-dormouse-background': '1' } });
  const lines = (recent?.logs ?? []).map(({ at, event, method, path, status }) => {
    const line = document.createElement('li');
    line.textContent = [at, event, method, path, status].filter(Boolean).join(' ');
    return line;
  });
  find('log').replaceChildren(...lines);
}

async function showDuration() {
  const { inactivity_threshold_minutes: minutes } = await (await fetch('/api/auth/config')).json();
  find('duration').textContent = `After ${minutes} minutes without work you are signed out.`;
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
    find('state').textContent = 'Address or password is wrong.';
    return;
  }
  await access.signedIn((await answer.json()).accessToken);
  form.reset();
  find('state').textContent = 'Signed in.';
  // Back to where the person was when it ended.
  history.replaceState(null, '', DormouseTokens.returnTarget('/#/work'));
  show();
});
find('work').addEventListener('click', async () => {
  find('work').disabled = true;
  const done = await ask('/api/me');
  if (done !== undefined) find('state').textContent = `You worked at ${new Date().toLocaleTimeString()}.`;
  find('work').disabled = false;
});
find('sign-out').addEventListener('click', () => access.signOut());
addEventListener('hashchange', show);
show();
void showDuration();
