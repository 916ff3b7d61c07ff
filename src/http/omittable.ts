import { ValidateIf } from 'class-validator';

/** May be left out, but null is no value of it; IsOptional lets null pass every other rule. */
export const Omittable = (): PropertyDecorator => ValidateIf((_body, value) => value !== undefined);
