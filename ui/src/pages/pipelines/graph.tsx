// SPDX-License-Identifier: Apache-2.0
// How the pipelines draw: components with what they give and how full they are, edges in the colour of their signal,
// as wide as the log of their rate, amber where records were lost.
import { BaseEdge, Handle, Position, type Edge, type EdgeProps, type Node, type NodeProps } from '@xyflow/react';
import type { PipelineComponent, PipelineEdge } from '../../api/types';
import { Flow, flowPath } from '../../charts/flow';
import flow from '../../charts/flow.module.css';
import { bytes, count, share } from '../../parts/format';
import parts from '../../parts/parts.module.css';
import css from './pipelines.module.css';
import { edgeId, fill, itemsRate, lossy, queueTrouble, signalColour, stateOf, troubleOf } from './words';

type ComponentNode = Node<{ component: PipelineComponent; figure: string; lost: number; chosen: boolean }, 'node'>;
type FlowEdge = Edge<{ edge: PipelineEdge; lane: number; chosen: boolean }, 'edge'>;

function ComponentMark({ data: { component, figure, lost, chosen } }: NodeProps<ComponentNode>) {
  const full = fill(component);
  const trouble = troubleOf(component);
  return (
    <div className={`${flow.node} ${css.node} ${trouble === 2 ? css.broken : trouble || lost ? css.lossy : ''}`} data-selected={chosen}
      title={component.status.error ? `${component.key}: ${component.status.error}` : component.key}>
      <Handle type="target" position={Position.Left} className={flow.handle} isConnectable={false} />
      <span className={flow.nodeText}>
        <span className={css.kind}>{component.kind} · <span className={['', css.failing, css.brokenText][trouble]}>{stateOf(component)}</span></span>
        <span className={flow.nodeName}>{component.id}</span>
        <span className={flow.nodeFigures}>{lost ? <span className={css.warn}>{count(lost)} lost</span> : figure}</span>
        {full !== null && <span className={`${parts.meter} ${full >= queueTrouble ? parts.meterFull : ''}`} title={`queue ${share(full)} full`}><span style={{ width: `${Math.min(100, full * 100)}%` }} /></span>}
      </span>
      <Handle type="source" position={Position.Right} className={flow.handle} isConnectable={false} />
    </div>
  );
}

function Pipe(props: EdgeProps<FlowEdge>) {
  const { edge, chosen, lane } = props.data!;
  const path = flowPath(props, size, lane);
  const width = 1 + Math.min(5, Math.log10(1 + (edge.items_rate ?? 0)) * 1.5);
  const idle = !edge.items_rate;
  return (
    <g>
      <title>{`${edge.pipeline}: ${itemsRate(edge.items_rate, edge.signal)}, ${bytes(edge.bytes_rate, '/s')}${edge.errors ? `, ${count(edge.errors)} lost` : ''}`}</title>
      <BaseEdge id={props.id} path={path} interactionWidth={20}
        style={{ stroke: chosen ? 'var(--accent)' : signalColour(edge.signal), strokeWidth: width, opacity: idle && !chosen ? 0.4 : 1 }} />
      {lossy(edge) && <path d={path} pathLength={100} fill="none" stroke="var(--warning)" strokeWidth={width + 1} strokeDasharray="18 100" strokeDashoffset={-82} />}
    </g>
  );
}

const size = { width: 200, height: 64 };
const nodeTypes = { node: ComponentMark };
const edgeTypes = { edge: Pipe };

/** What a component gives, or takes when it gives nothing: one figure a signal. */
function figureOf(key: string, edges: PipelineEdge[]): string {
  const given = edges.filter((e) => e.from === key);
  const taken = edges.filter((e) => e.to === key);
  const rates = new Map<string, number | null>();
  // A fan-out copies: of what leaves, one edge a signal tells all. What arrives adds up.
  for (const e of given) rates.set(e.signal, e.items_rate);
  if (!given.length) {
    for (const e of taken) rates.set(e.signal, e.items_rate === null ? null : (rates.get(e.signal) ?? 0) + e.items_rate);
  }
  return [...rates].map(([signal, rate]) => itemsRate(rate, signal)).join(' · ') || 'idle';
}

interface Props {
  components: PipelineComponent[];
  edges: PipelineEdge[];
  selected: string | null;
  select: (id: string | null) => void;
}

export function Graph({ components, edges, selected, select }: Props) {
  const lanes = new Map<string, PipelineEdge[]>();
  for (const e of edges) lanes.set(e.from + '>' + e.to, [...(lanes.get(e.from + '>' + e.to) ?? []), e]);
  const lane = (e: PipelineEdge) => {
    const side = lanes.get(e.from + '>' + e.to)!;
    return (side.indexOf(e) - (side.length - 1) / 2) * 10;
  };
  return (
    <Flow size={size} nodeTypes={nodeTypes} edgeTypes={edgeTypes} selected={selected} select={select}
      nodes={components.map((component) => {
        const lost = component.dropped.reduce((sum, d) => sum + d.count, 0);
        const figure = figureOf(component.key, edges);
        return { id: component.key, data: { component, figure, lost }, label: `${component.kind} ${component.id}, ${stateOf(component)}: ${figure}${lost ? `, ${count(lost)} lost` : ''}` };
      })}
      edges={edges.map((edge) => ({ id: edgeId(edge), from: edge.from, to: edge.to, data: { edge, lane: lane(edge) },
        label: `${edge.from} to ${edge.to}: ${itemsRate(edge.items_rate, edge.signal)}` }))} />
  );
}
