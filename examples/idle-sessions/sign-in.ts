/** Signs a person in at Kratos from the app's own form: a browser flow, carried out by the app. */
import { Configuration, FrontendApi } from '@ory/client';

/**
 * @param userAgent of the person's browser: Kratos would note the app's own, for the list of sessions and for the class of device
 * @returns the cookies to set; `undefined` where Kratos refuses
 */
export async function signInAt(
  kratosPublicUrl: string,
  { identifier, password }: { readonly identifier: string; readonly password: string },
  userAgent?: string,
): Promise<string[] | undefined> {
  const headers = userAgent === undefined ? {} : { 'user-agent': userAgent };
  const kratos = new FrontendApi(
    new Configuration({
      basePath: kratosPublicUrl,
      baseOptions: { validateStatus: () => true, headers },
    }),
  );
  const flow = await kratos.createBrowserLoginFlow();
  const csrfCookie = cookiesOf(flow.headers)
    .map((cookie) => cookie.split(';', 1)[0])
    .join('; ');
  const answer = await kratos.updateLoginFlow({
    flow: flow.data.id,
    cookie: csrfCookie,
    updateLoginFlowBody: {
      method: 'password',
      identifier,
      password,
      csrf_token: csrfTokenOf(flow.data.ui.nodes),
    },
  });
  const session = cookiesOf(answer.headers).filter((cookie) => cookie.startsWith('ory_kratos_session'));
  return session.length === 0 ? undefined : session;
}

function cookiesOf(headers: object): string[] {
  const set: unknown = 'set-cookie' in headers ? headers['set-cookie'] : [];
  return Array.isArray(set) ? set.map(String) : [];
}

function csrfTokenOf(nodes: readonly { attributes: object }[]): string {
  for (const { attributes } of nodes) {
    if ('name' in attributes && attributes.name === 'csrf_token' && 'value' in attributes) {
      return String(attributes.value);
    }
  }
  throw new Error('Kratos answered a login flow without csrf_token');
}
