/**
 * The guard: a small shell that outlives the stack by design. It reads pids from a pipe. When the pipe closes
 * without `done` (the stack was killed with SIGKILL), it ends the remaining processes. Node only.
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
  /** Ends the guard, and leaves the processes running. */
  dismiss(): Promise<void>;
}

/** @param temporaryDirectory also removed when the stack was killed. */
export function startGuard(temporaryDirectory?: string): Guard {
  const shell = spawn('/bin/sh', ['-c', script, 'dormouse-stack-guard', temporaryDirectory ?? ''], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Everything works without a guard. But after a SIGKILL, the next start has to end the remaining parts.
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
