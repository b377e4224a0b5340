/** Reads a YAML configuration file by a schema: every problem with its line and the way out. */
import type { z } from 'zod';
import { ConfigError } from '../config.js';
import { YamlText } from './yaml-text.js';

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
  const yaml = YamlText.read(text);
  if (!(yaml instanceof YamlText)) {
    const problems = yaml.map(({ line, message, wayOut }) =>
      [`${file}:${line}: ${message}`, ...(wayOut === undefined ? [] : [wayOut])].join('. '),
    );
    throw new ConfigError(problems.join('\n'));
  }
  const parsed = schema.safeParse(yaml.values);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path: keys, message }) => {
    const path = keys.map(String);
    return `${file}:${yaml.lineOf(path)}: ${path.join('.') || 'the file'}: ${message}`;
  });
  throw new ConfigError(problems.join('\n'));
}
