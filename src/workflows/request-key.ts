import { currentUpdateInfo } from '@temporalio/workflow';

/** Names the request in the audit log. A caller other than the client may have chosen any update ID. */
export function requestKey(): string {
  const id = currentUpdateInfo()?.id;
  if (id !== undefined && /^[A-Za-z0-9._:/-]{1,200}$/.test(id)) return id;
  return `request/${Date.now()}`;
}
