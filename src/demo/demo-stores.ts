import type { Role } from '../common/request-context.js';
import { type DemoProduct, flowers, groceries } from './demo-products.js';

export const DEMO_PASSWORD = 'larder-demo';

/** The address that a customer's orders go to, as an order's deliveryAddress wants it. */
export interface DemoAddress {
  name: string;
  phone: string;
  line1: string;
  city: string;
  zip: string;
}

export interface DemoUser {
  email: string;
  name: string;
  role: Role;
  address?: DemoAddress;
}

/** Amounts in minor units. */
export interface DemoStore {
  slug: string;
  name: string;
  currency: string;
  zipCodes: string[];
  deliveryFee: number;
  agentFee: number;
  agentFloatLimit: number;
  /** What each customer finds in the wallet. */
  walletBalance: number;
  users: DemoUser[];
  products: DemoProduct[];
  /** How many customers wait for an order already, the last ones first. */
  orders: number;
}

const MANHATTAN = Array.from({ length: 10 }, (_, index) => String(10_001 + index));
const BROOKLYN = ['11201', '11205', '11215'];

const CUSTOMERS = [
  'Ada Lovelace', 'Grace Hopper', 'Alan Turing', 'Katherine Johnson', 'Edsger Dijkstra', 'Barbara Liskov', 'Donald Knuth',
  'Frances Allen', 'Tony Hoare', 'Radia Perlman', 'Niklaus Wirth', 'Margaret Hamilton', 'John Backus', 'Karen Jones',
  'Dennis Ritchie', 'Adele Goldberg', 'Ken Thompson', 'Shafi Goldwasser', 'Leslie Lamport', 'Lynn Conway',
]; // prettier-ignore
const AGENTS = [
  'Maya Brooks', 'Leo Martinez', 'Nina Petrova', 'Sam Okafor', 'Ivy Chen', 'Omar Haddad', 'Rosa Alvarez', 'Jonas Weber',
  'Priya Nair', 'Tom Becker', 'Aisha Khan', 'Luca Romano', 'Hana Sato', 'Ben Carter', 'Zoe Laurent', 'Kofi Mensah',
  'Elif Yilmaz', 'Pablo Ortega', 'Freya Nilsen', 'Diego Santos',
]; // prettier-ignore
const STREETS = ['Seventh Avenue', 'Bleecker Street', 'Madison Avenue', 'Orchard Street', 'West 23rd Street'];

function customers(names: string[], domain: string, city: string, zipCodes: string[]): DemoUser[] {
  return names.map((name, index) => ({
    email: `customer${index + 1}@${domain}`,
    name,
    role: 'CUSTOMER',
    address: {
      name,
      phone: `+1 212 555 ${String(101 + index).padStart(4, '0')}`,
      line1: `${12 + 7 * index} ${STREETS[index % STREETS.length]}`,
      city,
      zip: zipCodes[index % zipCodes.length] ?? '',
    },
  }));
}

function agents(names: string[], domain: string): DemoUser[] {
  return names.map((name, index) => ({ email: `agent${index + 1}@${domain}`, name, role: 'AGENT' }));
}

export const demoStores = (): DemoStore[] => [
  {
    slug: 'demo',
    name: 'Larder Demo Grocery',
    currency: 'USD',
    zipCodes: MANHATTAN,
    deliveryFee: 399,
    agentFee: 250,
    agentFloatLimit: 50_000,
    walletBalance: 10_000,
    users: [
      { email: 'admin@larder.test', name: 'Alex Admin', role: 'ADMIN' },
      { email: 'manager@larder.test', name: 'Morgan Manager', role: 'MANAGER' },
      { email: 'support@larder.test', name: 'Sasha Support', role: 'SUPPORT' },
      ...agents(AGENTS, 'larder.test'),
      ...customers(CUSTOMERS, 'larder.test', 'New York', MANHATTAN),
    ],
    products: groceries(),
    orders: 8,
  },
  {
    slug: 'demo-two',
    name: 'Larder Demo Florist',
    currency: 'USD',
    zipCodes: BROOKLYN,
    deliveryFee: 599,
    agentFee: 300,
    agentFloatLimit: 30_000,
    walletBalance: 10_000,
    users: [
      { email: 'manager@two.larder.test', name: 'Taylor Manager', role: 'MANAGER' },
      ...agents(['Robin Reyes'], 'two.larder.test'),
      ...customers(['Charles Babbage'], 'two.larder.test', 'Brooklyn', BROOKLYN),
    ],
    products: flowers(),
    orders: 0,
  },
];
