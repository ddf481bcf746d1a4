export function aptInstall(packages: string[], say: (text: string) => void): Promise<string[]>;
