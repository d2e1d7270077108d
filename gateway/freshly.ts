// Sharing one look among all who ask at the same time, without ever giving anybody an answer older than the question.

/** Runs `work`, or shares the run that begins next: one that is under way may have missed a change committed since. */
export function freshly<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;

  function start(): Promise<T> {
    running = work().finally(() => (running = undefined));
    return running;
  }

  return () => {
    if (!running) return start();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}
