// SPDX-License-Identifier: Apache-2.0
// What every part may ask of the frame: the range, the zone of times, and whether figures are held still.
import { createContext, useContext } from 'react';

export const ranges = ['1m', '5m', '15m'] as const;
export interface Frame {
  range: string;
  utc: boolean;
  paused: boolean;
  refreshMs: number;
}
export const FrameContext = createContext<Frame>({ range: '5m', utc: false, paused: false, refreshMs: 2000 });
export const useFrame = () => useContext(FrameContext);
