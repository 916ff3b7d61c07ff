import { ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import { isIP } from 'node:net';

/** Addresses and networks as 10.0.0.0/8, with commas between them. */
@ValidatorConstraint()
export class AddressList implements ValidatorConstraintInterface {
  validate(list: unknown): boolean {
    return typeof list === 'string' && list.split(',').every((entry) => isNetwork(entry.trim()));
  }

  defaultMessage(): string {
    return 'expected addresses or networks, as 10.0.0.0/8, with commas between them';
  }
}

function isNetwork(entry: string): boolean {
  const [address = '', prefix, ...rest] = entry.split('/');
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  if (bits === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}
