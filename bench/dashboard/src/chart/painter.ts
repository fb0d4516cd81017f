// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Draws what asked to be drawn, all in one animation frame and each at most once in it. */

type Paint = () => void;

export class Painter {
  readonly #request: (callback: () => void) => number;
  readonly #due = new Set<Paint>();
  #scheduled = false;

  constructor(request: (callback: () => void) => number) {
    this.#request = request;
  }

  readonly ask = (paint: Paint): void => {
    this.#due.add(paint);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#request(this.#flush);
  };

  readonly forget = (paint: Paint): void => {
    this.#due.delete(paint);
  };

  readonly #flush = (): void => {
    this.#scheduled = false;
    const paints = [...this.#due];
    this.#due.clear();
    for (const paint of paints) paint();
  };
}

export const painter = new Painter((callback) => requestAnimationFrame(callback));
