/** Whether Dawn finds a GPU, or what passes for one, and the environment variables that it takes. */
export function loadDawn(): Promise<{ ok: boolean; env: Record<string, string>; adapter?: string; reason?: string }>;
