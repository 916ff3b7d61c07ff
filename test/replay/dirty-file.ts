export const HEADER = 'InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country';

const DATE = '1/12/2010 08:26';

export function line(invoice: string, code: string, quantity: number, price: string, customer = '17850'): string {
  return `${invoice};${code};GOODS ${code};${quantity};${DATE};${price};${customer};United Kingdom`;
}

/** Every kind of dirt once: what is wrong with a line, and the line. */
export const DIRT: [reason: string, line: string][] = [
  ['negative stock', `536589;21777;;-10;${DATE};0;;United Kingdom`],
  ['no description', `536414;22139;;56;${DATE};0;;United Kingdom`],
  ['no price', `536941;22734;amazon;20;${DATE};0;;United Kingdom`],
  ['negative price', `536942;22734;GOODS;1;${DATE};-11,06;;United Kingdom`],
  ['price not in whole cents', `536942;22734;GOODS;1;${DATE};0,001;;United Kingdom`],
  ['price not understood', `536942;22734;GOODS;1;${DATE};2.55;;United Kingdom`],
  ['not goods: POST', `536370;POST;POSTAGE;3;${DATE};18;12583;France`],
  ['not goods: D', `C536379;D;Discount;-1;${DATE};27,5;14527;United Kingdom`],
  ['quantity not understood', `536942;22734;GOODS;many;${DATE};1;;United Kingdom`],
  ['no quantity', `536942;22734;GOODS;0;${DATE};1;;United Kingdom`],
  ['more than 100000 pieces', `536942;22734;GOODS;100001;${DATE};1;;United Kingdom`],
  ['cancellation of a positive quantity', `C536942;22734;GOODS;1;${DATE};1;;United Kingdom`],
  ['invoice number not understood', `A563185;22734;GOODS;1;${DATE};1;;United Kingdom`],
  ['no stock code', `536942;;GOODS;1;${DATE};1;;United Kingdom`],
  ['stock code not understood', `536942;22@734;GOODS;1;${DATE};1;;United Kingdom`],
  ['date not understood', `536942;22734;GOODS;1;31.12.2010;1;;United Kingdom`],
  ['customer number not understood', `536942;22734;GOODS;1;${DATE};1;Bob;United Kingdom`],
  ['too few columns', '536942;22734;GOODS'],
  ['too many columns', `536942;22734;GO;ODS;1;${DATE};1;;United Kingdom`],
  ['broken quotes', `536942;22734;"GOODS;1;${DATE};1;;United Kingdom`],
  ['longer than 16384 characters', `536942;22734;${'GOODS'.repeat(20_000)};1;${DATE};1;;United Kingdom`],
];

/** Goods whose text has quotes and semicolons, as spreadsheets write them. */
export const QUOTED = [
  `536366;22633;"HAND WARMER; ""UNION JACK""";6;${DATE};1,85;;United Kingdom`,
  `536366;22634;12" RULER;1;${DATE};1,5;;United Kingdom`,
];

const NOISE = ['"', ';', ',', ' ', '-', 'a', '0', '€', '\u2028', '\u0000'];

/** Lines with random characters put in and taken out, the same for the same seed. */
export function noisyLines(count: number, seed: number): string[] {
  const next = randomNumbers(seed);
  return Array.from({ length: count }, (_, index) => {
    const cancels = next(10) === 0;
    const customer = next(3) > 0 ? String(12_000 + next(5)) : '';
    const quantity = (1 + next(3)) * (cancels ? -1 : 1);
    const characters = [
      ...line(`${cancels ? 'C' : ''}${540_000 + Math.floor(index / 3)}`, `2200${next(9)}`, quantity, '1,5', customer),
    ];
    for (let changes = next(2) * next(5); changes > 0; changes -= 1) {
      characters.splice(next(characters.length), next(2), NOISE[next(NOISE.length)] ?? '');
    }
    return characters.join('');
  });
}

function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
