import { Header } from '@nestjs/common';

/** The handler returns JSON that the database wrote: it goes out as the text it is. */
export const WrittenJson = (): MethodDecorator => Header('content-type', 'application/json; charset=utf-8');
