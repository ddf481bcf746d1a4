import { en, type Messages } from './en';
import { zh } from './zh';

export type Language = 'en' | 'zh';

/** `?lang=` says which, else the browser. */
export function languageOf(query: URLSearchParams, preferred: readonly string[]): Language {
  const named = query.get('lang');
  if (named === 'en' || named === 'zh') return named;
  return preferred[0]?.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export const language = languageOf(new URLSearchParams(location.search), navigator.languages);
export const t: Messages = { en, zh }[language];
