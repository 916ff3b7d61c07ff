import { BlockList, isIP } from 'node:net';

/** Where no client of the internet is: the machine itself, private networks, what stands between networks. */
const LOCAL = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  LOCAL.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  LOCAL.addSubnet(network, prefix, 'ipv6');

/**
 * An address as one to count by: of IPv6 the /64 network, all of which one line has. Undefined for one that tells nobody from
 * anybody: behind a proxy that isn't trusted (TRUSTED_PROXIES) every client has the proxy's.
 */
export function countedAddress(address: string): string | undefined {
  const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '');
  const family = isIP(plain);
  if (family === 0 || LOCAL.check(plain, family === 4 ? 'ipv4' : 'ipv6')) return undefined;
  return family === 4 ? plain : `${networkOf(plain)}::/64`;
}

/** The first four groups, written out. */
function networkOf(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const known = tail === undefined ? 0 : tail.split(':').filter(Boolean).length;
  const filled = tail === undefined ? groups : [...groups, ...Array<string>(8 - groups.length - known).fill('0')];
  return [...filled, ...(tail?.split(':').filter(Boolean) ?? [])]
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':');
}
