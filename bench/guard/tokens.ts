/** What the guards of access tokens and of personal access tokens add to a request: decisions from memory, and signatures apart. */
import { randomBytes } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type pg from 'pg';
import { formatPersonalToken } from '../../src/domain/tokens/personal-token.js';
import { InactivityJwtStrategy } from '../../src/middleware/inactive-tokens/fastify.js';
import type { KeysOption } from '../../src/middleware/inactive-tokens/options.js';
import { TokenVerifier } from '../../src/middleware/inactive-tokens/verify.js';
import { PersonalTokens } from '../../src/middleware/personal-tokens/personal-tokens.js';
import { hashOf } from '../../src/tokens/personal/issue.js';
import { v4Of } from '../activity/identities.js';
import { percentiles, timeRequests } from '../activity/latencies.js';
import { seeded } from '../activity/zipf.js';

const decisions = 200_000;
const signatures = 2_000;
const issuer = 'https://issuer.example/';
const audience = 'https://api.example';

export async function printTokenGuards(pool: pg.Pool, postgresUrl: string, people: number): Promise<void> {
  const random = seeded(11);
  const draw = () => Math.floor(random() * people);
  const secret = randomBytes(32);
  const access = await accessTokens(people, secret);
  const strategy = new InactivityJwtStrategy({
    ...{
      postgresUrl,
      keys: { secret },
      issuer,
      audience,
      policy: { lifetime: '24h', idle: '12h', writeEvery: '2h' },
    },
    ...{ verifyMs: 3_600_000, cacheEntries: people + 1 },
  });
  await strategy.ready();
  const ask = (index: number) =>
    strategy.decide({ headers: { authorization: `Bearer ${access[index]}` }, path: '/', isUse: true });
  await timeRequests(people, 64, async (index) => {
    const decision = await ask(index);
    if (decision.kind !== 'good') throw new Error(`the token is ${decision.kind}`);
  });
  const cachedAccess = await timeRequests(decisions, 1, async () => void (await ask(draw())));
  await strategy.close();

  const personal = await personalTokens(pool, people);
  const tokens = new PersonalTokens({
    ...{ postgresUrl, policy: { scopes: ['read'] }, cacheMs: 3_600_000, cacheEntries: people + 1 },
  });
  await tokens.ready();
  const check = (index: number) => tokens.check(personal[index] ?? '', { scopes: ['read'] });
  await timeRequests(people, 64, async (index) => {
    const { kind } = await check(index);
    if (kind !== 'live') throw new Error(`the token is ${kind}`);
  });
  const cachedPersonal = await timeRequests(decisions, 1, async () => void (await check(draw())));
  await tokens.close();

  const rows: (readonly [string, Float64Array])[] = [
    ['access token, decision from the cache', cachedAccess.latencies],
    ['personal access token, decision from the cache', cachedPersonal.latencies],
  ];
  for (const alg of ['HS256', 'RS256', 'ES256', 'EdDSA']) {
    rows.push([`signature of an access token that was not seen yet, ${alg}`, await timeSignatures(alg)]);
  }
  console.log(`| ${people.toLocaleString('en')} people, one token each | N | p50 µs | p99 µs |
| --- | ---: | ---: | ---: |
${rows
  .map(([what, latencies]) => {
    const { p50Us, p99Us } = percentiles(latencies);
    return `| ${what} | ${latencies.length} | ${p50Us} | ${p99Us} |`;
  })
  .join('\n')}
`);
}

function signed(index: number, alg: string, key: CryptoKey | Uint8Array): Promise<string> {
  return new SignJWT({ jti: `bench-${index}` })
    .setProtectedHeader({ alg, kid: 'bench', typ: 'at+jwt' })
    .setSubject(v4Of(2_000_000 + index))
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(key);
}

async function accessTokens(count: number, secret: Uint8Array): Promise<string[]> {
  const tokens: string[] = [];
  for (let index = 0; index < count; index += 1) tokens.push(await signed(index, 'HS256', secret));
  return tokens;
}

/** Written by one statement: their making is not what is measured. */
async function personalTokens(pool: pg.Pool, count: number): Promise<string[]> {
  const tokens = Array.from({ length: count }, () => formatPersonalToken('dmp', randomBytes(32)));
  const size = 5_000;
  for (let from = 0; from < count; from += size) {
    const part = tokens.slice(from, from + size);
    await pool.query(
      `INSERT INTO personal_token (token_id, identity_id, type, name, hash, scopes, roles, created_at)
       SELECT gen_random_uuid(), identity_id, 'personal', 'bench', hash, '{read}', '{}', now()
       FROM unnest($1::uuid[], $2::bytea[]) AS made (identity_id, hash)`,
      [part.map((_, index) => v4Of(3_000_000 + from + index)), part.map((token) => hashOf(token))],
    );
  }
  return tokens;
}

/** Each token once, so that none is in the cache. */
async function timeSignatures(alg: string): Promise<Float64Array> {
  const { key, keys } = await keyPair(alg);
  const tokens: string[] = [];
  for (let index = 0; index < signatures; index += 1) tokens.push(await signed(index, alg, key));
  const verifier = new TokenVerifier({
    ...{ postgresUrl: '', keys, issuer, audience, policy: {}, algorithms: [alg] },
  });
  const { latencies } = await timeRequests(signatures, 1, async (index) => {
    const verification = await verifier.verify(tokens[index] ?? '');
    if ('forgery' in verification) throw new Error(`a genuine token is refused: ${verification.forgery}`);
  });
  return latencies;
}

async function keyPair(alg: string): Promise<{ key: CryptoKey | Uint8Array; keys: KeysOption }> {
  if (alg === 'HS256') {
    const secret = randomBytes(32);
    return { key: secret, keys: { secret } };
  }
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'bench', alg, use: 'sig' };
  return { key: privateKey, keys: { jwks: { keys: [jwk] } } };
}
