/**
 * The guard: a small shell that outlives the stack by design. It reads pids from a pipe; when the pipe breaks without a
 * goodbye (the stack was killed with SIGKILL) it ends what is left. Node only.
 */
import { spawn } from 'node:child_process';

// SIGTERM first; PostgreSQL takes that as "wait for clients", so SIGINT ("end at once") follows, then SIGKILL.
const script = `
pids=""
while read -r word value; do
  case "$word" in
    add) pids="$value $pids" ;;
    done) exit 0 ;;
  esac
done
alive() { for pid in $pids; do kill -0 "$pid" 2>/dev/null && return 0; done; return 1; }
wait_for_end() { left=$1; while alive && [ "$left" -gt 0 ]; do sleep 0.2; left=$((left - 1)); done; }
for pid in $pids; do kill -TERM "$pid" 2>/dev/null; done
wait_for_end 15
for pid in $pids; do kill -INT "$pid" 2>/dev/null; done
wait_for_end 15
for pid in $pids; do kill -KILL "-$pid" 2>/dev/null; done
[ -n "$1" ] && rm -rf -- "$1"
exit 0
`;

export interface Guard {
  watch(pid: number): void;
  /** Ends the guard; nothing happens to the processes. */
  dismiss(): Promise<void>;
}

/** @param temporaryDirectory removed too when the stack was killed. */
export function startGuard(temporaryDirectory?: string): Guard {
  const shell = spawn('/bin/sh', ['-c', script, 'dormouse-stack-guard', temporaryDirectory ?? ''], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a guard everything works still; only a SIGKILL then leaves parts for the next start to end.
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  return {
    watch: (pid) => void shell.stdin.write(`add ${pid}\n`),
    async dismiss() {
      if (shell.exitCode !== null || shell.pid === undefined) return;
      const gone = new Promise((resolve) => shell.once('exit', resolve));
      shell.stdin.end('done\n');
      await gone;
    },
  };
}
