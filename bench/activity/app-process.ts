/** Starts an app of the benchmark, asks it over kept-alive connections, and asks after its memory. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { type AppInput, type AppState, appReady, appState } from './app-messages.js';

export class AppProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly port: number,
    private readonly agent: Agent,
  ) {}

  static async start(input: AppInput, connections: number): Promise<AppProcess> {
    const child = fork(fileURLToPath(new URL('./app.ts', import.meta.url)), [JSON.stringify(input)], {
      execArgv: ['--expose-gc', '--import', 'tsx'],
    });
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the app "${input.way}" ended (${code})`);
    });
    ended.catch(() => undefined);
    const [ready] = await Promise.race([once(child, 'message'), ended]);
    const { port } = appReady.parse(ready);
    return new AppProcess(child, port, new Agent({ keepAlive: true, maxSockets: connections }));
  }

  /** One request, until its answer was read. */
  request(token: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: this.port,
        agent: this.agent,
        headers: { authorization: `Bearer ${token}` },
      };
      get(options, (answer) => {
        answer.on('error', reject);
        answer.resume().once('end', () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`the app answered ${answer.statusCode}`));
        });
      }).once('error', reject);
    });
  }

  /** @param question `memory`: after a collection of garbage */
  async state(question: 'pending' | 'memory'): Promise<AppState> {
    const answer = once(this.child, 'message');
    this.child.send(question);
    const [state] = await answer;
    return appState.parse(state);
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await gone;
  }
}
