/** Lists that the gateway answers page by page. */
import type { GatewayCalls, Query } from './gateway-calls.js';

/** @returns each page, until one names no next. @throws CliError */
export async function* pagesOf<Page extends { readonly next?: string | undefined }>(
  gateway: GatewayCalls,
  path: string,
  query: Query = {},
): AsyncGenerator<Page> {
  let after: string | undefined;
  do {
    const page: Page = await gateway.get(path, { ...query, after });
    yield page;
    // A gateway that names the same page again would be asked for ever.
    if (page.next === after) return;
    after = page.next;
  } while (after !== undefined);
}
