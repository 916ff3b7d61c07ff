import { Module } from '@nestjs/common';
import { CategoriesController } from './categories.controller.js';
import { CategoriesService } from './categories.service.js';
import { ProductList } from './product-list.js';
import { ProductsController } from './products.controller.js';
import { ProductsService } from './products.service.js';
import { SearchProducts } from './search-products.js';
import { VariantsController } from './variants.controller.js';
import { VariantsService } from './variants.service.js';

@Module({
  controllers: [ProductsController, VariantsController, CategoriesController],
  providers: [ProductsService, ProductList, SearchProducts, VariantsService, CategoriesService],
})
export class CatalogModule {}
