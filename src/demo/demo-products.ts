/** Prices in minor units (US cents). A product of one size has its price and stock at once. */
export interface DemoVariant {
  /** What comes after the product's SKU; empty for a product of one size. */
  size: string;
  name: string;
  price: number;
  stock: number;
}

export interface DemoProduct {
  sku: string;
  slug: string;
  name: string;
  description: string;
  category: string;
  variants: DemoVariant[];
}

type Size = [name: string, price: number, stock: number];
type Row = [slug: string, name: string, description: string, ...sizes: Size[]];

const SHELVES: Record<string, Row[]> = {
  'Fruit & Vegetables': [
    [
      'bananas',
      'Bananas',
      'Ripe yellow bananas, sold by the bunch.',
      ['Bunch of 5', 149, 400],
      ['Bunch of 8', 219, 250],
    ],
    [
      'gala-apples',
      'Gala Apples',
      'Crisp and sweet, good for lunch boxes.',
      ['1 kg bag', 349, 300],
      ['2 kg bag', 629, 120],
    ],
    ['navel-oranges', 'Navel Oranges', 'Seedless and easy to peel.', ['1 kg net', 399, 260]],
    ['lemons', 'Lemons', 'Unwaxed, for zest and juice.', ['Net of 4', 229, 220]],
    [
      'hass-avocados',
      'Hass Avocados',
      'Ready to eat within two days.',
      ['Pack of 2', 329, 180],
      ['Pack of 4', 599, 90],
    ],
    ['blueberries', 'Blueberries', 'Plump berries for breakfast and baking.', ['150 g punnet', 379, 140]],
    ['vine-tomatoes', 'Vine Tomatoes', 'Ripened on the vine.', ['500 g', 299, 240]],
    ['baby-spinach', 'Baby Spinach', 'Washed and ready to eat.', ['200 g bag', 279, 160]],
    ['carrots', 'Carrots', 'Sweet carrots for roasting and snacking.', ['1 kg bag', 189, 320]],
    ['yellow-onions', 'Yellow Onions', 'The start of every good sauce.', ['1 kg net', 169, 350]],
    [
      'russet-potatoes',
      'Russet Potatoes',
      'For baking, mashing and frying.',
      ['2 kg bag', 389, 210],
      ['5 kg bag', 799, 80],
    ],
    ['broccoli', 'Broccoli', 'One firm green head.', ['1 head', 219, 190]],
  ],
  'Dairy & Eggs': [
    ['whole-milk', 'Whole Milk', 'Fresh milk, 3.5 % fat.', ['1 l', 159, 500], ['2 l', 289, 300], ['4 l', 519, 120]],
    ['oat-drink', 'Oat Drink', 'Barista oat drink, no added sugar.', ['1 l', 249, 260]],
    [
      'free-range-eggs',
      'Free-Range Eggs',
      'Large eggs from hens that go outside.',
      ['6 eggs', 329, 280],
      ['12 eggs', 599, 200],
    ],
    ['salted-butter', 'Salted Butter', 'Creamery butter with sea salt.', ['250 g', 389, 230]],
    ['greek-yogurt', 'Greek Yogurt', 'Thick and strained, plain.', ['500 g', 349, 190], ['1 kg', 629, 90]],
    ['cheddar', 'Mature Cheddar', 'Aged for twelve months.', ['200 g', 429, 170], ['400 g', 799, 110]],
    ['mozzarella', 'Mozzarella', 'Soft mozzarella in brine.', ['125 g', 229, 210]],
    ['cream', 'Whipping Cream', '35 % fat, whips up firm.', ['250 ml', 219, 150]],
  ],
  Bakery: [
    ['sourdough-loaf', 'Sourdough Loaf', 'Baked this morning, long fermented.', ['Whole', 549, 90], ['Half', 299, 70]],
    ['bagels', 'Plain Bagels', 'Boiled, then baked.', ['Pack of 6', 399, 120]],
    ['croissants', 'Butter Croissants', 'All butter, flaky.', ['Pack of 4', 449, 110]],
    ['baguette', 'Baguette', 'Crisp crust, airy crumb.', ['1 piece', 249, 140]],
    ['flour-tortillas', 'Flour Tortillas', 'Soft wraps of 20 cm.', ['Pack of 8', 299, 200]],
    ['cinnamon-rolls', 'Cinnamon Rolls', 'With vanilla icing.', ['Pack of 4', 529, 60]],
    ['sandwich-bread', 'Whole Wheat Sandwich Bread', 'Sliced, 20 slices.', ['500 g', 319, 180]],
  ],
  'Meat & Fish': [
    [
      'chicken-breast',
      'Chicken Breast Fillets',
      'Skinless, from slow-growing birds.',
      ['500 g', 749, 130],
      ['1 kg', 1399, 70],
    ],
    ['ground-beef', 'Ground Beef', '15 % fat, grass fed.', ['500 g', 699, 140]],
    ['pork-sausages', 'Pork Sausages', 'With sage and black pepper.', ['Pack of 6', 549, 110]],
    ['smoked-bacon', 'Smoked Bacon', 'Dry cured, thick cut.', ['250 g', 499, 150]],
    ['salmon-fillets', 'Salmon Fillets', 'Two boneless fillets, skin on.', ['240 g', 999, 90]],
    ['cod-fillets', 'Cod Fillets', 'Line caught, boneless.', ['300 g', 1049, 60]],
    ['firm-tofu', 'Firm Tofu', 'Organic, for frying and stews.', ['400 g', 329, 140]],
  ],
  Pantry: [
    ['spaghetti', 'Spaghetti', 'Durum wheat, bronze drawn.', ['500 g', 189, 400], ['1 kg', 339, 180]],
    ['basmati-rice', 'Basmati Rice', 'Aged long grain.', ['1 kg', 449, 260], ['5 kg', 1899, 60]],
    ['chopped-tomatoes', 'Chopped Tomatoes', 'In rich juice.', ['400 g can', 139, 500]],
    ['chickpeas', 'Chickpeas', 'Cooked, in water.', ['400 g can', 129, 420]],
    ['olive-oil', 'Extra Virgin Olive Oil', 'Cold pressed, peppery.', ['500 ml', 999, 150], ['1 l', 1799, 80]],
    ['plain-flour', 'Plain Flour', 'For cakes and sauces.', ['1 kg', 199, 280]],
    ['cane-sugar', 'Cane Sugar', 'Golden, fine grain.', ['1 kg', 249, 240]],
    [
      'peanut-butter',
      'Peanut Butter',
      'Only peanuts and a little salt.',
      ['350 g smooth', 429, 170],
      ['350 g crunchy', 429, 160],
    ],
    ['wildflower-honey', 'Wildflower Honey', 'From one apiary upstate.', ['340 g', 699, 110]],
    ['rolled-oats', 'Rolled Oats', 'Whole grain, for porridge.', ['1 kg', 299, 230]],
    ['corn-flakes', 'Corn Flakes', 'Toasted corn, lightly salted.', ['500 g', 379, 180]],
    ['sea-salt', 'Sea Salt', 'Fine grain.', ['500 g', 149, 260]],
  ],
  Drinks: [
    ['ground-coffee', 'Ground Coffee', 'Medium roast, chocolate and nuts.', ['250 g', 699, 170], ['1 kg', 2399, 50]],
    ['english-breakfast-tea', 'English Breakfast Tea', 'Strong and malty.', ['80 bags', 449, 190]],
    ['orange-juice', 'Orange Juice', 'Squeezed, not from concentrate.', ['1 l', 399, 210]],
    ['sparkling-water', 'Sparkling Water', 'Lightly carbonated.', ['1 l', 99, 600], ['6 x 1 l', 549, 140]],
    ['cola', 'Cola', 'With cane sugar.', ['330 ml', 129, 480], ['6 x 330 ml', 699, 130]],
    ['ginger-beer', 'Ginger Beer', 'Fiery and cloudy.', ['500 ml', 249, 120]],
  ],
  'Snacks & Sweets': [
    ['sea-salt-chips', 'Sea Salt Chips', 'Hand cooked potato chips.', ['150 g', 329, 240]],
    ['dark-chocolate', 'Dark Chocolate', '70 % cocoa.', ['100 g', 299, 260]],
    ['almonds', 'Roasted Almonds', 'Unsalted.', ['200 g', 549, 150]],
    ['oat-cookies', 'Oat Cookies', 'With raisins and cinnamon.', ['250 g', 349, 160]],
    ['gummy-bears', 'Gummy Bears', 'Five fruit flavours.', ['200 g', 199, 220]],
    [
      'vanilla-ice-cream',
      'Vanilla Ice Cream',
      'Made with cream and real vanilla.',
      ['500 ml', 599, 100],
      ['1 l', 999, 60],
    ],
  ],
  Household: [
    ['dish-soap', 'Dish Soap', 'Cuts grease, lemon scent.', ['500 ml', 299, 200]],
    ['laundry-detergent', 'Laundry Detergent', 'Liquid, 30 washes.', ['1.5 l', 1099, 110]],
    ['paper-towels', 'Paper Towels', 'Two ply, recycled.', ['2 rolls', 349, 190], ['6 rolls', 899, 90]],
    ['toilet-paper', 'Toilet Paper', 'Three ply, soft.', ['8 rolls', 599, 230], ['16 rolls', 1099, 120]],
    ['trash-bags', 'Trash Bags', 'Tear resistant, 30 l.', ['20 bags', 399, 170]],
    ['sponges', 'Kitchen Sponges', 'One soft side, one rough.', ['Pack of 3', 229, 210]],
  ],
};

const FLOWERS: Record<string, Row[]> = {
  Bouquets: [
    ['dozen-roses', 'A Dozen Roses', 'Long-stemmed roses.', ['Red', 3999, 40], ['White', 3999, 30]],
    ['tulips', 'Tulips', 'Ten tulips of the season.', ['Mixed', 1899, 50]],
    ['wildflowers', 'Wildflowers', 'Whatever the field gives this week.', ['Small', 1499, 40], ['Large', 2499, 25]],
  ],
  Plants: [
    ['monstera', 'Monstera', 'In a 17 cm pot.', ['60 cm', 2999, 20]],
    ['aloe-vera', 'Aloe Vera', 'Needs next to no water.', ['25 cm', 1299, 35]],
  ],
};

export const groceries = (): DemoProduct[] => stock('GRO', SHELVES);
export const flowers = (): DemoProduct[] => stock('FLO', FLOWERS);

function stock(prefix: string, shelves: Record<string, Row[]>): DemoProduct[] {
  const rows = Object.entries(shelves).flatMap(([category, products]) => products.map((row) => ({ category, row })));
  return rows.map(({ category, row: [slug, name, description, ...sizes] }, index) => ({
    sku: `${prefix}-${String(index + 1).padStart(3, '0')}`,
    slug,
    name,
    description,
    category,
    variants: sizes.map(([size, price, onHand], position) => ({
      size: sizes.length === 1 ? '' : `-${position + 1}`,
      name: size,
      price,
      stock: onHand,
    })),
  }));
}
