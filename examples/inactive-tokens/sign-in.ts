/** Signs a person in at Kratos as a native app does. */
import { Configuration, FrontendApi } from '@ory/client';

/** @returns the identity; `undefined` where Kratos refuses */
export async function signInNatively(
  kratosPublicUrl: string,
  { identifier, password }: { readonly identifier: string; readonly password: string },
): Promise<string | undefined> {
  const kratos = new FrontendApi(
    new Configuration({ basePath: kratosPublicUrl, baseOptions: { validateStatus: () => true } }),
  );
  const flow = await kratos.createNativeLoginFlow();
  const { status, data } = await kratos.updateLoginFlow({
    flow: flow.data.id,
    updateLoginFlowBody: { method: 'password', identifier, password },
  });
  return status === 200 ? data.session.identity?.id : undefined;
}
