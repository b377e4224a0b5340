/** Reads a file of configuration in YAML by a schema: every problem with its line and the way out. */
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { ConfigError } from '../config.js';

/**
 * @param text the file's content
 * @param file its name, for messages
 * @throws ConfigError with every problem
 */
export function parseYamlFile<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
): z.output<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const broken = document.errors.map(
    ({ pos, message }) => `${file}:${lines.linePos(pos[0]).line}: is not YAML: ${message.split('\n')[0]}`,
  );
  if (broken.length > 0) throw new ConfigError(broken.join('\n'));
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const node = document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${file}:${lineOf(path)}: ${path.map(String).join('.') || 'the file'}: ${message}`,
  );
  throw new ConfigError(problems.join('\n'));
}
