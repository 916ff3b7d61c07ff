import { currentContext, STAFF } from '../../common/request-context.js';

/** Staff work on products before they are published. */
export function seesUnpublished(): boolean {
  return currentContext()?.roles?.some((role) => STAFF.includes(role)) ?? false;
}
