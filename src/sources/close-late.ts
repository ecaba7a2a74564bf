/** Closes what has been opened too late. A generator that has not begun, a stream's for one, has nothing to close yet. */
export async function closeLate(iterable: AsyncIterable<unknown>, report: (error: unknown) => void): Promise<void> {
  try {
    const iterator = iterable[Symbol.asyncIterator]();
    Promise.resolve(iterator.next()).catch(report);
    await iterator.return?.();
  } catch (error) {
    report(error);
  }
}
