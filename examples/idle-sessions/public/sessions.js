/* The person's own sessions and their choice. */
const change = (method, path, body) =>
  fetch(`/session/${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'x-dormouse-request': '1' },
    body: JSON.stringify(body),
  });

async function showSessions() {
  const { sessions } = await (await fetch('/session/list')).json();
  const list = document.getElementById('sessions');
  list.replaceChildren(
    ...sessions.map(({ id, current, device, place, lastActiveAt }) => {
      const item = document.createElement('li');
      const where = [device ?? 'unknown device', place].filter(Boolean).join(', ');
      item.textContent = `${where}; last seen ${new Date(lastActiveAt).toLocaleString()} `;
      if (current) {
        item.append('(this one)');
        return item;
      }
      const button = document.createElement('button');
      button.textContent = 'Sign out';
      button.addEventListener('click', async () => {
        await change('POST', 'end', { id });
        await showSessions();
      });
      item.append(button);
      return item;
    }),
  );
}

async function showChoice() {
  const { offeredMs, chosenMs } = await (await fetch('/session/choice')).json();
  const select = document.getElementById('choice');
  select.replaceChildren(
    ...offeredMs.map(
      (ms) =>
        new Option(ms === 0 ? 'as the policy says' : `${ms / 60_000} minutes`, ms, false, ms === chosenMs),
    ),
  );
  select.addEventListener('change', () => change('PUT', 'choice', { idleMs: Number(select.value) }));
}

document.getElementById('others').addEventListener('click', async () => {
  await change('POST', 'end', { others: true });
  await showSessions();
});
showSessions();
showChoice();
