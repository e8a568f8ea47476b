// SPDX-License-Identifier: Apache-2.0
// Small marks: the language of a service, its name, a sparkline, a stacked bar.
import type { ReactNode } from 'react';
import { Link, servicePath } from '../router';
import css from './parts.module.css';

const marks: Record<string, [string, string]> = {
  python: ['Py', 'Python'], nodejs: ['JS', 'Node.js'], go: ['Go', 'Go'], java: ['Jv', 'Java'], php: ['PHP', 'PHP'],
  ruby: ['Rb', 'Ruby'], rust: ['Rs', 'Rust'], cpp: ['C++', 'C++'], c: ['C', 'C'], nginx: ['Nx', 'nginx'], dotnet: ['.N', '.NET'],
  external: ['↗', 'Outside this machine'],
};

export function languageMark(language: string): [string, string] {
  return marks[language] ?? ['?', 'Unknown language'];
}

export function Language({ language }: { language: string }) {
  const [text, name] = languageMark(language);
  return <span className={css.mark} role="img" aria-label={name} title={name}>{text}</span>;
}

export function ServiceName({ name, language, link = true, note }: { name: string; language?: string; link?: boolean; note?: ReactNode }) {
  return (
    <span className={css.named}>
      {language !== undefined && <Language language={language} />}
      {link ? <Link to={servicePath(name)}>{name}</Link> : <span>{name}</span>}
      {note}
    </span>
  );
}

/** A gap is a gap; the last, unfinished step is drawn faded. */
export function Sparkline({ values, label, width = 96, height = 20 }: { values: (number | null)[]; label: string; width?: number; height?: number }) {
  const top = Math.max(1e-9, ...values.map((v) => v ?? 0));
  const x = (i: number) => ((i / Math.max(1, values.length - 1)) * width).toFixed(1);
  const y = (v: number) => (height - 1 - (v / top) * (height - 2)).toFixed(1);
  let path = '';
  let pen = false;
  values.slice(0, -1).forEach((v, i) => {
    if (v === null) pen = false;
    else {
      path += `${pen ? 'L' : 'M'}${x(i)} ${y(v)}${pen ? '' : 'h0.1'}`;
      pen = true;
    }
  });
  const [before, last] = values.slice(-2);
  const n = values.length;
  return (
    <svg className={css.spark} width={width} height={height} role="img" aria-label={label}>
      <path d={path || 'M0 0'} />
      {n > 1 && before != null && last != null && <path className={css.sparkLast} d={`M${x(n - 2)} ${y(before)}L${x(n - 1)} ${y(last)}`} />}
    </svg>
  );
}

export interface Part {
  name: string;
  value: number;
  colour: string;
  text: string;
}

export function StackedBar({ parts, label }: { parts: Part[]; label: string }) {
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  return (
    <div className={css.stack} role="img" aria-label={`${label}: ${parts.map((p) => `${p.name} ${p.text}`).join(', ')}`}>
      {total > 0 && parts.filter((p) => p.value > 0).map((part) => (
        <span key={part.name} title={`${part.name} ${part.text}`} style={{ flexGrow: part.value / total, flexBasis: 0, background: part.colour }} />
      ))}
    </div>
  );
}

export function Dot({ colour }: { colour: string }) {
  return <span className={css.dot} style={{ background: colour }} aria-hidden="true" />;
}
