import type { Messages } from './en';

/** Why something does not run: in words where the site has a name for it, else as the browser says it. */
export const sayReason = (reason: string, { reasons }: Messages): string =>
  reasons[reason as keyof Messages['reasons']] ?? reason;
