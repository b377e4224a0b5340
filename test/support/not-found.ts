/** Kratos' answer for an unknown identity, for a proxy that hides one. */
export const notFound = {
  kind: 'answer',
  status: 404,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    error: { code: 404, status: 'Not Found', message: 'Unable to locate the resource' },
  }),
} as const;
