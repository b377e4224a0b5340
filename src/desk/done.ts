/** What a page says after a form was carried out: `?done=` names one of these sentences, and no other text is ever shown. Pure. */

const sentences = {
  held: 'It is held. Rungs and mails stop until then.',
  released: 'The hold has ended.',
  reactivated: 'The identity is being brought back.',
  retried: 'The step is tried again.',
  retriedAll: 'The steps are tried again. What fails again is parked again.',
  skipped: 'The step will not be done in this absence.',
  applied: 'It follows that policy now.',
  told: 'The lifecycle looks at everything again.',
  exempted: 'It is exempt: the ladder does not apply until that is ended.',
  reviewed: 'The exemption stays, until the next review.',
  proposed: 'The release is proposed. Another operator has to approve it.',
  agreed: 'You approved it. It still takes another operator.',
  passed: 'The release is in force. The workers wake whom it lets pass.',
  published: 'The policy is published. Its roll-out begins within seconds.',
  paused: 'The roll-out is paused: nobody more is woken.',
  resumed: 'The roll-out goes on.',
  back: 'The earlier text is published, and taken to people instead.',
  ended: 'The exemption has ended: the ladder applies again.',
} as const;
export type Done = keyof typeof sentences;

export function doneText(query: unknown): string {
  const done = typeof query === 'object' && query !== null && 'done' in query ? query.done : undefined;
  return typeof done === 'string' && Object.hasOwn(sentences, done) ? sentences[done as Done] : '';
}
