/* The page's own script: starts the library, keeps the draft, and holds the session during an upload. */
const draft = document.getElementById('draft');
const draftKey = 'example/draft';
if (draft) draft.value = localStorage.getItem(draftKey) ?? '';

const session = Dormouse.startIdleSession({
  base: '/session',
  signInUrl: '/login',
  path: () => location.pathname,
  onBeforeSignOut() {
    if (draft) localStorage.setItem(draftKey, draft.value);
  },
});

document.getElementById('sign-out').addEventListener('click', () => session.signOut());

document.getElementById('upload')?.addEventListener('click', () => {
  session.hold(async () => {
    const progress = document.getElementById('progress');
    for (let second = 300; second > 0; second -= 1) {
      progress.textContent = `${second} s left`;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    progress.textContent = 'done';
  });
});
