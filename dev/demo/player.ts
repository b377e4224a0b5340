/** Plays one role: makes the person, lets them act when their moment comes, and remembers what they had in hand. */

import type { DirectDormouse } from '../../src/client/direct-types.js';
import type { Standing } from '../../src/client.js';
import type { StackInfo } from '../stack/index.js';
import type { Tokens } from './authorization-code-flow.js';
import type { Reaction, Role } from './cast.js';
import type { OryPeople, Person, SignIn } from './ory-people.js';
import { PersonsMail } from './persons-mail.js';

/** The actor of the operator in audit entries. */
const operator = 'demo-operator';
const holdMs = 3_600_000;
/** How often a person who is back gives a sign of life. */
const heartbeatMs = 1_500;
/**
 * Longer than the lead of the notice of deactivation in policies/demo.yaml, shorter than the postponement.
 */
const pastDeactivationMs = 7_000;

export interface Credentials {
  readonly signIn: SignIn;
  readonly tokens: Tokens;
}

export class Player {
  standing: Standing | undefined;
  /** The credentials of the first sign-in. */
  first: Credentials | undefined;
  /** The sign-in after coming back. */
  second: SignIn | undefined;
  /** How long the return took to appear in the standing, milliseconds. */
  returnedWithinMs: number | undefined;
  /** Kratos' `state_changed_at` after an admin disabled the identity. */
  disabledAt: string | undefined;
  private reaction: Promise<void> | undefined;
  private heartbeat: NodeJS.Timeout | undefined;

  private constructor(
    readonly role: Role,
    readonly person: Person,
    private readonly people: OryPeople,
    private readonly dormouse: DirectDormouse,
    private readonly mail: PersonsMail,
  ) {}

  /** Makes the person, signs them in where the role says so, and enrols them. */
  static async enter(
    role: Role,
    people: OryPeople,
    dormouse: DirectDormouse,
    stack: StackInfo,
  ): Promise<Player> {
    const person = await people.create(role.name, role.person);
    const player = new Player(role, person, people, dormouse, new PersonsMail(stack, person));
    if (role.before === 'disable-by-hand') player.disabledAt = await player.disableByHand();
    // Enrolled before the sign-in, because the hook of Kratos would enrol under the gateway's policy.
    await dormouse.enrol(person.id);
    if (role.start !== 'never') {
      const signIn = await people.signIn(person);
      if (signIn === undefined) throw new Error(`${role.name} could not sign in`);
      player.first = { signIn, tokens: await people.authorize(person) };
    }
    if (role.start !== 'never') await dormouse.recordActivity(person.id, { source: 'demo' });
    if (role.start === 'steady') player.keepShowingUp();
    if (role.before === 'hold') {
      await dormouse.hold(person.id, {
        actor: operator,
        reason: 'parental leave',
        until: Date.now() + holdMs,
      });
    }
    return player;
  }

  /** Reads the standing, and acts when the role's moment has come. */
  async tick(): Promise<void> {
    this.standing = await this.dormouse.standing(this.person.id);
    const { reaction } = this.role;
    if (reaction === undefined || this.reaction !== undefined || this.standing?.stage !== reaction.at) return;
    // Not awaited: other roles must not miss their moments.
    this.reaction = this.react(reaction.does).catch((error: unknown) => {
      console.error(`${this.role.name}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  private async react(does: Reaction['does']): Promise<void> {
    if (does === 'reactivate') await this.reactivate();
    if (does === 'link') await this.mail.returnByLink();
    if (does === 'keep') await this.keepByLink();
    await this.comeBack();
  }

  /** Whether the role has reached the end that the cast expects. */
  get isDone(): boolean {
    const { stage, blocked } = this.role.expected;
    if (this.standing?.stage !== stage) return false;
    if (blocked !== undefined) return this.standing.blocked?.by === blocked;
    return this.role.reaction === undefined || this.second !== undefined;
  }

  leave(): void {
    clearInterval(this.heartbeat);
  }

  private async disableByHand(): Promise<string | undefined> {
    const { data } = await this.people.identities.patchIdentity({
      id: this.person.id,
      jsonPatch: [{ op: 'replace', path: '/state', value: 'inactive' }],
    });
    return data.state_changed_at;
  }

  private async reactivate(): Promise<void> {
    if ((await this.people.signIn(this.person)) !== undefined)
      throw new Error('a deactivated person could sign in');
    await this.dormouse.reactivate(this.person.id, {
      actor: operator,
      reason: 'asked the help desk to come back',
    });
  }

  /** Postpones the deactivation, and stays away until the date in the mail has passed. */
  private async keepByLink(): Promise<void> {
    await this.mail.keepByLink();
    await new Promise((resolve) => setTimeout(resolve, pastDeactivationMs));
  }

  private async comeBack(): Promise<void> {
    this.second = await this.people.signIn(this.person);
    const seenAt = Date.now();
    await this.dormouse.recordActivity(this.person.id, { source: 'demo' });
    for (let tries = 0; tries < 100; tries += 1) {
      this.standing = await this.dormouse.standing(this.person.id);
      if (this.standing?.stage === 'active') {
        this.returnedWithinMs = Date.now() - seenAt;
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.keepShowingUp();
  }

  private keepShowingUp(): void {
    this.heartbeat = setInterval(() => {
      this.dormouse.recordActivity(this.person.id, { source: 'demo' }).catch(() => undefined);
    }, heartbeatMs);
  }
}
