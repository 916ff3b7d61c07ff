import type { Page, Product } from './answers.ts';
import { check, expecting } from './narrator.ts';
import type { Stage } from './stage.ts';

const TYPED = 'cinamon rols';
const MEANT = 'cinnamon-rolls';
const WORD = 'cream';
const SHELF = 'dairy-eggs';

/** Somebody without an account types badly, and finds it first; then looks on one shelf only. */
export async function tellSearch(stage: Stage): Promise<void> {
  const { narrator } = stage;
  narrator.step('Somebody types in a hurry');
  const found = await find(stage, { search: TYPED });
  const [first] = found;
  check(first?.slug === MEANT, `“${TYPED}” finds ${MEANT} first`, slugsOf(found));
  narrator.say(`No account, and two typing errors: “${TYPED}” finds ${first.name} first.`);

  const shelf = await find(stage, { category: SHELF });
  expectOfShelf(shelf);
  const name = shelf[0]?.category?.name;
  narrator.say(`On the shelf ${name} there are ${shelf.length} products: ${namesOf(shelf)}.`);

  const everywhere = await find(stage, { search: WORD });
  const there = await find(stage, { search: WORD, category: SHELF });
  expectOfShelf(there);
  check(there[0]?.slug === WORD, `“${WORD}” finds ${WORD} first on its shelf`, slugsOf(there));
  const elsewhere = everywhere.filter(({ category }) => category?.slug !== SHELF);
  check(elsewhere.length > 0, `“${WORD}” is found on other shelves too`, slugsOf(everywhere));
  narrator.say(`“${WORD}” finds ${namesOf(everywhere)}; on that shelf only ${namesOf(there)}.`);
}

/** As anybody may, without logging in. */
async function find({ larder }: Stage, wanted: Record<string, string>): Promise<Product[]> {
  const query = new URLSearchParams(wanted).toString();
  return expecting(200, 'The catalog', await larder.call<Page<Product>>('GET', `/api/products?${query}`)).items;
}

function expectOfShelf(products: Product[]): void {
  const strays = products.filter(({ category }) => category?.slug !== SHELF);
  check(products.length > 0 && strays.length === 0, `All are of ${SHELF}`, slugsOf(products));
}

const slugsOf = (products: Product[]): string[] => products.map(({ slug }) => slug);
const namesOf = (products: Product[]): string => products.map(({ name }) => name).join(', ');
