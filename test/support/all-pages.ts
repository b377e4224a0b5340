/** A list that is read by pages, whole. */

interface Page {
  /** Where the next page begins; absent at the end. */
  readonly next?: string;
}

/** @returns the pages from the first to the last */
export async function allPages<One extends Page>(
  read: (after: string | undefined) => Promise<One>,
): Promise<One[]> {
  const pages: One[] = [];
  let after: string | undefined;
  do {
    const page = await read(after);
    pages.push(page);
    after = page.next;
  } while (after !== undefined);
  return pages;
}
