import { scientific } from '../format';
import { en } from '../messages/en';
import { sayReason } from '../messages/reasons';
import { count, subjectName, type Tally, worstRight } from './verdict';

export interface Environment {
  readonly library: string;
  readonly tfjs: string;
  readonly pytorch: string;
  readonly userAgent: string;
  readonly cases: number;
}

const MOST_FAULTS = 40;

/** The results as Markdown, for a bug report. In English whatever the page's language. */
export function reportOf(tallies: readonly Tally[], environment: Environment): string {
  const { library, tfjs, pytorch, userAgent, cases } = environment;
  const rows = tallies.map(({ subject, state, reason, device = '', seconds, verdicts }) => {
    const worst = worstRight(verdicts);
    const beyond = count(verdicts, 'beyond');
    const cells = [
      subjectName(subject),
      state === 'done'
        ? `${count(verdicts, 'right')} of ${cases}`
        : [state, reason && sayReason(reason, en)].filter(Boolean).join(': '),
      String(count(verdicts, 'wrong')) + (beyond > 0 ? ` (and ${beyond} beyond half floats)` : ''),
      worst ? `${scientific(worst.error)} in ${worst.name}` : '',
      seconds === undefined ? '' : `${seconds.toFixed(1)} s`,
      device,
    ];
    return `| ${cells.map((cell) => cell.replace(/\|/g, '/')).join(' | ')} |`;
  });
  const faults = tallies.flatMap(({ subject, verdicts }) =>
    verdicts
      .filter(({ fault }) => fault)
      .map(({ name, kind, fault }) => `- ${subjectName(subject)}, ${kind}: ${name}: ${fault}`),
  );
  return [
    '### tfjs-cross-entropy: check of a device',
    '',
    `tfjs-cross-entropy ${library}, TensorFlow.js ${tfjs}, against PyTorch ${pytorch}`,
    `Browser: ${userAgent}`,
    '',
    '| backend | agree | wrong | worst error of those that agree | time | device |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    ...(faults.length > 0 ? ['', 'Disagreements:', '', ...faults.slice(0, MOST_FAULTS)] : []),
    ...(faults.length > MOST_FAULTS ? [`- and ${faults.length - MOST_FAULTS} more`] : []),
    '',
  ].join('\n');
}
