import fc from 'fast-check';
import { type CsvRecord, RecordReader } from '../../src/import/csv-records.js';
import { LineSplitter, LONGEST_LINE } from '../../src/import/file-lines.js';

/** The records of a file that comes in chunks of these sizes. */
function read(file: string | Buffer, sizes: number[] = [Infinity]): CsvRecord[] {
  const bytes = Buffer.from(file);
  const splitter = new LineSplitter(0, 0);
  const reader = new RecordReader();
  const records: CsvRecord[] = [];
  let turn = 0;
  for (let from = 0; from < bytes.length;) {
    const size = Math.min(sizes[turn++ % sizes.length]!, bytes.length - from);
    records.push(...reader.push(splitter.push(bytes.subarray(from, from + size))));
    from += size;
  }
  return [...records, ...reader.push(splitter.end()), ...reader.end()];
}

const shape = (records: CsvRecord[]) => records.map(({ line, fields, fault }) => [line, fault ?? fields]);

describe('records of a CSV file', () => {
  it.each([
    [
      'plain lines',
      'a,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a last line without an end',
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'line ends of Windows',
      'a,b\r\n1,2\r\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a byte-order mark',
      '\ufeffa,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'quoted fields',
      '"a,x","b ""y"""\n1,2\n',
      [
        ['a,x', 'b "y"'],
        ['1', '2'],
      ],
    ],
    [
      'spaces around fields',
      ' a , b \n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
  ])('are read with %s', (_what, file, expected) => {
    expect(read(file).map(({ fields }) => fields)).toEqual(expected);
  });

  it('may go over several lines within quotes, empty ones too', () => {
    const records = read('a,b\n"one\n\ntwo",2\n3,4\n');
    expect(shape(records)).toEqual([
      [1, ['a', 'b']],
      [2, ['one\n\ntwo', '2']],
      [5, ['3', '4']],
    ]);
    expect(records[1]).toMatchObject({ line: 2, lastLine: 4, start: 4, end: 17 });
  });

  it('leave out lines with nothing in them', () => {
    expect(shape(read('a,b\n\n,\n  \n1,2\n'))).toEqual([
      [1, ['a', 'b']],
      [5, ['1', '2']],
    ]);
  });

  it.each([
    ['a quote that is never closed', 'a,b\n"open,2\n3,4\n5,6\n', [2]],
    ['a quote inside of a field', 'a,b\n12" ruler,2\n3,4\n', [2]],
    ['two of them', 'a,b\n12" ruler,2\n13" ruler,2\n3,4\n', [2, 3]],
    ['text after a closing quote', 'a,b\n"x"y,2\n3,4\n', [2]],
    ['an open quote in the last line', 'a,b\n3,4\n"x,2', [3]],
  ])('after %s are read as if nothing had been', (_what, file, broken) => {
    const records = read(file);
    expect(records.filter(({ fault }) => fault === 'broken quotes').map(({ line }) => line)).toEqual(broken);
    expect(shape(records).filter(([, fields]) => Array.isArray(fields) && fields[0] === '3')).toHaveLength(1);
  });

  it('name the byte where text is no UTF-8 or has a zero, and go on', () => {
    const file = Buffer.concat([Buffer.from('a,b\n'), Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from('x\0,y\n3,4\n')]);
    expect(shape(read(file))).toEqual([
      [1, ['a', 'b']],
      [2, 'is not UTF-8 (line from byte 4 on)'],
      [3, 'has a zero byte (line from byte 7 on)'],
      [4, ['3', '4']],
    ]);
  });

  it('keep little of a line that is too long, and go on after it', () => {
    const records = read(`a,b\n${'x'.repeat(LONGEST_LINE + 2)}\n3,4\n`, [65_536]);
    expect(records.map(({ line, content }) => [line, content.length])).toEqual([
      [1, 3],
      [2, 200],
      [3, 3],
    ]);
    expect(records[1]?.fault).toBe(`longer than 1048576 bytes (${LONGEST_LINE + 2}, from byte 4 on)`);
  });

  it('allow for a line of exactly the longest length', () => {
    const longest = `${'x'.repeat(LONGEST_LINE - 2)},y`;
    expect(read(`a,b\n${longest}\r\n`)[1]?.fields[1]).toBe('y');
  });

  it('give up a quote after a hundred lines, and read these again', () => {
    const records = read(`a,b\n"open,1\n${'3,4\n'.repeat(300)}"x",5\n`);
    expect(records[1]).toMatchObject({ line: 2, fault: 'broken quotes' });
    expect(records).toHaveLength(1 + 1 + 300 + 1);
  });

  it('are the same however the file is cut into chunks, and are told where they stand', () => {
    const line = fc.oneof(
      fc.constantFrom('1,2', '"a\nb",c', '"open,x', 'x"y,z', '', ',', 'ü,😀', '"""",1', 'a,b,c', '\r', '"q"'),
      fc.string({ maxLength: 10, unit: fc.constantFrom('"', ',', '\n', 'a', 'é', '\r') }),
    );
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        (lines, sizes) => {
          const file = lines.join('\n');
          const records = read(file, sizes);
          expect(records).toEqual(read(file));
          const bytes = Buffer.from(file);
          for (const { start, end, content } of records) {
            expect(
              bytes
                .subarray(start, end)
                .toString()
                .replaceAll(/\r(?=\n|$)/g, '')
                .replace(/\n$/, ''),
            ).toBe(content);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
