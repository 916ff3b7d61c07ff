import { parseArgs } from 'node:util';
import { tellApproval } from './approval.ts';
import { tellCardOrder } from './card-order.ts';
import { tellCartOrder } from './cart-order.ts';
import { tellCashOrder } from './cash-order.ts';
import { Larder, NoLarder } from './larder.ts';
import { tellTotals } from './ledger.ts';
import { Narrator, NotAsTold } from './narrator.ts';
import { tellRefund } from './refund.ts';
import { tellDoubleClick, tellTooMuch } from './refusals.ts';
import { tellSearch } from './search.ts';
import { tellShift } from './shift.ts';
import { tellSlotAndCoupon } from './slot-and-coupon.ts';
import { openStage } from './stage.ts';
import { tellWalletOrder } from './wallet-order.ts';

const USAGE = `Tells the story of an order over the HTTP API of a running Larder, and checks that it is as told.

  npm run demo
  npm run demo -- --url http://localhost:3000

Needs the demo store, which \`npm start\` creates. Can be repeated: it puts back what it takes.`;

async function tell(url: string): Promise<void> {
  const larder = new Larder(url);
  await larder.requireReady();
  const narrator = new Narrator();
  console.log(`An order from the shelf to the door, told over HTTP by ${url}`);
  const stage = await openStage(narrator, larder);
  await tellSearch(stage);
  await tellCashOrder(stage);
  await tellWalletOrder(stage);
  await tellCartOrder(stage);
  await tellSlotAndCoupon(stage);
  await tellCardOrder(stage);
  await tellRefund(stage);
  await tellApproval(stage);
  await tellShift(stage);
  await tellTooMuch(stage);
  await tellDoubleClick(stage);
  await tellTotals(narrator, stage.manager);
  console.log('\nAll as told; every cent is accounted for.');
}

function urlFrom(args: string[]): string | undefined {
  const { values } = parseArgs({
    args,
    options: {
      url: { type: 'string', default: `http://localhost:${process.env.PORT || '3000'}` },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  });
  if (values.help) return undefined;
  if (!URL.canParse(values.url) || !/^https?:/.test(values.url))
    throw new NoLarder(`--url: ${values.url} is no address`);
  return values.url.replace(/\/+$/, '');
}

try {
  const url = urlFrom(process.argv.slice(2));
  if (url === undefined) console.log(USAGE);
  else await tell(url);
} catch (error) {
  process.exitCode = 1;
  if (error instanceof NotAsTold) console.error(`\nNOT AS TOLD: ${error.message}`);
  else if (error instanceof NoLarder) console.error(error.message);
  else if (error instanceof Error && 'code' in error) console.error(`${error.message}\n\n${USAGE}`);
  else throw error;
}
