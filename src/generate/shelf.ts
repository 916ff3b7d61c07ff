import { groceries } from '../demo/demo-products.js';

const BRANDS = ['Larder', 'Farmhouse', 'Riverside', 'Old Mill'];

export interface ShelfVariant {
  /** 1 sells best. */
  rank: number;
  sku: string;
  slug: string;
  product: string;
  description: string;
  category: string;
  name: string;
  price: number;
}

/** The demo's groceries of four brands, in the order in which they sell: by chance. */
export function stockShelf(chance: (variant: number) => number): ShelfVariant[] {
  const all = BRANDS.flatMap((brand, shade) =>
    groceries().flatMap((product) =>
      product.variants.map(({ size, name, price }) => ({
        sku: `${product.sku}${size}-${brand.charAt(0)}${shade}`,
        slug: `${brand.toLowerCase().replaceAll(' ', '-')}-${product.slug}`,
        product: `${brand} ${product.name}`,
        description: product.description,
        category: product.category,
        name,
        price: Math.round(price * (0.8 + 0.15 * shade)),
      })),
    ),
  );
  return all
    .map((variant, index) => ({ variant, place: chance(index) }))
    .sort((a, b) => a.place - b.place)
    .map(({ variant }, index) => ({ rank: index + 1, ...variant }));
}

/** Upper bounds of what shares go to the first, the first two … of a number of things: the first the most (Zipf's law). */
export function zipfBounds(things: number, exponent: number): number[] {
  const weights = Array.from({ length: things }, (_, index) => (index + 3) ** -exponent);
  const all = weights.reduce((total, weight) => total + weight, 0);
  let passed = 0;
  return weights.slice(0, -1).map((weight) => (passed += weight) / all);
}
